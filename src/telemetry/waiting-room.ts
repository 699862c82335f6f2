/** How many items wait to be sent. The SDK would drop what is too much without a word. */
export type WaitingRoom = {
  /** False: there is no room, and the item is lost. */
  admit(): boolean;
  /** So many are being sent. */
  leave(count: number): void;
};

export const createWaitingRoom = (room: number, lost: () => void): WaitingRoom => {
  let waiting = 0;
  return {
    admit: () => {
      if (waiting >= room) {
        lost();
        return false;
      }
      waiting += 1;
      return true;
    },
    leave: (count) => {
      waiting = Math.max(0, waiting - count);
    },
  };
};
