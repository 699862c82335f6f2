import { expect, test } from "vitest";

import { createBirth } from "../../runner/sandbox/birth.ts";
import type { ChildListener, ChildProcessEnd } from "../../runner/sandbox/child-process.ts";
import type { FromChild, ToChild } from "../../runner/sandbox/protocol.ts";

const RUN = { op: "run", id: 1, code: "", fileName: "script.js", input: "", attempt: "" } as const;

const setUp = () => {
  const orders: ToChild[][] = [];
  const listeners: ChildListener[] = [];
  const birth = createBirth(
    (): ChildProcessEnd => {
      const child = orders.push([]) - 1;
      return {
        pid: child,
        send: (order) => orders[child]?.push(order),
        listen: (listener) => {
          listeners[child] = listener;
        },
        kill: () => {},
        exited: new Promise(() => {}),
      };
    },
    { heapMb: 64, bootstrap: "guest" },
  );
  const heard: FromChild[] = [];
  return {
    heard,
    start: (): ChildProcessEnd => {
      const child = birth();
      child.listen({ heard: (frame) => heard.push(frame), exited: () => {} });
      return child;
    },
    says: (child: ChildProcessEnd, frame: FromChild) => listeners[child.pid]?.heard(frame),
    given: (child: ChildProcessEnd) => orders[child.pid]?.[0],
  };
};

test("the first child is asked for a code cache, the next ones are given it", () => {
  const { start, says, given, heard } = setUp();
  const first = start();
  expect(given(first)).toMatchObject({ op: "init", bootstrap: "guest", codeCache: "" });
  says(first, { op: "cache", codeCache: "made" });
  says(first, { op: "ready" });
  expect(given(start())).toMatchObject({ codeCache: "made" });
  expect(heard).toEqual([{ op: "ready" }]);
});

test("a child that was given a script, or has said it already, is not believed", () => {
  const { start, says, given, heard } = setUp();
  const [used, eager] = [start(), start()];
  used.send({ ...RUN, warnAfterMs: 1 });
  says(used, { op: "cache", codeCache: "forged" });
  expect(given(start())).toMatchObject({ codeCache: "" });
  says(eager, { op: "cache", codeCache: "made" });
  says(eager, { op: "cache", codeCache: "forged" });
  const late = start();
  expect(given(late)).toMatchObject({ codeCache: "made" });
  says(late, { op: "cache", codeCache: "forged" });
  expect(given(start())).toMatchObject({ codeCache: "made" });
  expect(heard).toHaveLength(3);
});
