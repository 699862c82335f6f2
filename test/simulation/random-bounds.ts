import { TURN_BOUNDS, type TurnBounds } from "../../src/shard/turn-bounds.ts";
import type { Dice } from "./world.ts";

/** Some owners leave nearly everything to later turns. */
export const randomBounds = (dice: Dice): TurnBounds =>
  dice.chance(0.5) ? TURN_BOUNDS : { settled: dice.between(1, 4), notices: dice.between(1, 4) };
