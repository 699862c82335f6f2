import { Option } from "commander";

import {
  DeliverySchema,
  DeliveryState,
  GetDeliveryResponseSchema,
  HookService,
  type ListDeliveriesRequest,
  ListDeliveriesResponseSchema,
} from "../../gen/millrace/v1/hook_service_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import { addPageOptions, pageOf, type PageOptions, printPage } from "../page.ts";
import type { Register } from "../program.ts";
import { requireAnswer } from "../require-answer.ts";
import { printLine, type Shell } from "../shell.ts";
import { deliveryText, HEADING, rowOf } from "./describe.ts";

type ListOptions = ClientOptions &
  PageOptions & {
    readonly job?: string;
    readonly hook?: string;
    readonly state?: "pending" | "delivered" | "failed";
  };

const STATES = {
  pending: DeliveryState.PENDING,
  delivered: DeliveryState.DELIVERED,
  failed: DeliveryState.FAILED,
} as const;

const listOf = ({ job, hook }: ListOptions): ListDeliveriesRequest["of"] => {
  if (job !== undefined && hook === undefined) return { case: "jobId", value: job };
  if (hook !== undefined && job === undefined) return { case: "hookId", value: hook };
  throw usageFailure("Give --job or --hook.", "millrace delivery list --job $JOB");
};

const list = async (options: ListOptions, shell: Shell) =>
  await withConnection(options, shell, async ({ clientOf }) => {
    const request = {
      of: listOf(options),
      states: options.state === undefined ? [] : [STATES[options.state]],
      ...pageOf(options),
    };
    const answer = await clientOf(HookService).listDeliveries(request, { signal: shell.signal });
    const rows = answer.deliveries.map(rowOf);
    printPage(shell, options, {
      schema: ListDeliveriesResponseSchema,
      answer,
      heading: HEADING,
      rows,
    });
    return EXIT.ok;
  });

const registerList: Register = (parent, shell, act) => {
  const command = addPageOptions(
    parent
      .command("list")
      .description("Lists the notices of a job, or of a hook, newest first.")
      .option("--job <id>", "of this job")
      .option("--hook <id>", "of this hook")
      .addOption(new Option("--state <state>", "only these").choices(Object.keys(STATES))),
  ).action(act(async (options: ListOptions) => await list(options, shell)));
  addExamples(addClientOptions(command), "millrace delivery list --job $JOB");
};

const registerGet: Register = (parent, shell, act) => {
  const command = parent
    .command("get")
    .description("Shows a notice, and each try to deliver it.")
    .argument("<id>", "the id of the delivery: its `webhook-id`")
    .action(
      act(
        async (deliveryId: string, options: ClientOptions) =>
          await withConnection(options, shell, async ({ clientOf }) => {
            const answer = await clientOf(HookService).getDelivery(
              { deliveryId },
              { signal: shell.signal },
            );
            const text = deliveryText(requireAnswer(answer.delivery, "delivery"), answer.tries);
            const json = options.output === "json";
            printLine(shell.stdout, json ? jsonLine(GetDeliveryResponseSchema, answer) : text);
            return EXIT.ok;
          }),
      ),
    );
  addExamples(addClientOptions(command), "millrace delivery get $DELIVERY");
};

const registerRedeliver: Register = (parent, shell, act) => {
  const command = parent
    .command("redeliver")
    .description("Sends a notice again, with the same id, from the beginning of its schedule.")
    .argument("<id>", "the id of the delivery: its `webhook-id`")
    .action(
      act(
        async (deliveryId: string, options: ClientOptions) =>
          await withConnection(options, shell, async ({ clientOf }) => {
            const answer = await clientOf(HookService).redeliverDelivery(
              { deliveryId },
              { signal: shell.signal },
            );
            const delivery = requireAnswer(answer.delivery, "delivery");
            const text = `Delivery ${delivery.id} is sent again.`;
            const json = options.output === "json";
            printLine(shell.stdout, json ? jsonLine(DeliverySchema, delivery) : text);
            return EXIT.ok;
          }),
      ),
    );
  addExamples(addClientOptions(command), "millrace delivery redeliver $DELIVERY");
};

export const registerDelivery: Register = (parent, shell, act) => {
  const delivery = parent
    .command("delivery")
    .description("Shows the notices of callbacks and hooks, and sends them again.");
  for (const register of [registerList, registerGet, registerRedeliver]) {
    register(delivery, shell, act);
  }
};
