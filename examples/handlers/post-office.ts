/** Stands for a mail relay and for an archive, so that the example needs neither. */
export type PostOffice = {
  /** How many mails have left. */
  readonly sent: () => number;
  deliver(to: string, subject: string): Promise<{ readonly receipt: string }>;
  archive(receipt: string): Promise<void>;
};

export class UnknownRecipient extends Error {
  override readonly name = "UnknownRecipient";
}

export const createPostOffice = (): PostOffice => {
  let sent = 0;
  let archiveIsBusy = true;
  return {
    sent: () => sent,
    deliver: async (to, subject) => {
      if (!to.endsWith("@example.com")) throw new UnknownRecipient(`550 nobody is called ${to}`);
      sent += 1;
      return await Promise.resolve({ receipt: `${subject} (${sent})` });
    },
    archive: async () => {
      if (!archiveIsBusy) return;
      archiveIsBusy = false;
      await Promise.reject(new Error("the archive is busy"));
    },
  };
};
