import type { DeliveryRow } from "../../jobs/delivery.ts";
import type { Turn } from "../turn.ts";

/** The notice of a hook was delivered, or given up. */
export const hookOutcome = (turn: Turn, delivery: DeliveryRow, delivered: boolean): void => {
  void [turn, delivery, delivered];
};
