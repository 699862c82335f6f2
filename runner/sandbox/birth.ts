import type { ChildProcessEnd } from "./child-process.ts";
import type { ToChild } from "./protocol.ts";

type Needs = Omit<Extract<ToChild, { op: "init" }>, "op" | "codeCache">;

/**
 * Starts children, and tells each what it needs. The first one makes V8's code cache of the guest,
 * which takes a tenth of a start; the others are given it. Only a child that has been given no script
 * yet is believed: V8 trusts a code cache blindly, so it must not come from where a script was.
 */
export const createBirth = (
  spawn: () => ChildProcessEnd,
  needs: Needs,
): (() => ChildProcessEnd) => {
  let codeCache = "";

  const withCodeCache = (child: ChildProcessEnd): ChildProcessEnd => {
    let awaited = true;
    return {
      ...child,
      send: (order, taken) => {
        awaited = false;
        child.send(order, taken);
      },
      listen: ({ heard, exited }) => {
        child.listen({
          heard: (frame) => {
            if (frame.op !== "cache" || !awaited) {
              heard(frame);
              return;
            }
            awaited = false;
            codeCache = frame.codeCache;
          },
          exited,
        });
      },
    };
  };

  return () => {
    const child = spawn();
    child.send({ op: "init", ...needs, codeCache });
    return codeCache === "" ? withCodeCache(child) : child;
  };
};
