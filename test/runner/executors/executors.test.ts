import { commands } from "./commands.ts";
import { keepsThePromises } from "./executor-suite.ts";
import { handlers } from "./handlers.ts";
import { runsAndDrains } from "./runner-suite.ts";
import { scripts } from "./scripts.ts";

for (const subject of [scripts, handlers, commands]) {
  keepsThePromises(subject);
  runsAndDrains(subject);
}
