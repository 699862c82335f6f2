import { type Attack, fails, failsWith, script, type Seen } from "./attack.ts";

const threw = fails("script.threw");
const atMost8Kib = ({ message, stack }: Seen): void => {
  for (const text of [message, stack]) {
    if (Buffer.byteLength(text) > 8_192) throw new Error(`${Buffer.byteLength(text)} bytes`);
  }
};

/** What a script throws. */
export const errors: readonly Attack[] = [
  {
    name: "a message of 200 MB",
    code: script("throw new Error('x'.repeat(2e8));"),
    outcome: fails("script.threw", "memory", "timeout.cpu"),
    also: atMost8Kib,
  },
  {
    name: "a message of a megabyte in three bytes each",
    code: script("throw new Error('\\u20ac'.repeat(3e5));"),
    outcome: threw,
    also: atMost8Kib,
  },
  {
    name: "a stack of a megabyte",
    code: script(
      "throw Object.assign(new Error('x'), { stack: '    at script.js:1:1\\n'.repeat(5e4) });",
    ),
    outcome: threw,
    also: atMost8Kib,
  },
  {
    name: "halves of surrogates and NUL in message and stack",
    code: script(
      "throw Object.assign(new Error('\\ud800\\0'), { name: '\\udc00', stack: '\\ud800\\n    at script.js:1:1\\udc00' });",
    ),
    outcome: threw,
  },
  {
    name: "a code of ours",
    code: script("throw Object.assign(new Error('x'), { code: 'memory', name: 'HostFault' });"),
    outcome: threw,
  },
  {
    name: "a message that is an object",
    code: script("throw { message: { toString: () => ({}) }, stack: 5, retryable: 'yes' };"),
    outcome: failsWith("script.threw", /cannot be shown/),
  },
  {
    name: "a proxy that is revoked",
    code: script("const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); throw proxy;"),
    outcome: failsWith("script.threw", /cannot be shown/),
  },
  {
    name: "a proxy that throws at everything",
    code: script(`
      throw new Proxy(new Error("x"), new Proxy({}, { get: () => () => { throw new Error("trap"); } }));
    `),
    outcome: threw,
  },
  {
    name: "an error whose name is ours and whose stack is a getter that ends the job",
    code: script(`
      throw { name: "ImportRefused", get stack() { queueMicrotask(() => { throw new Error("again"); }); return "s"; } };
    `),
    outcome: threw,
  },
  {
    name: "errors in a circle of causes",
    code: script(
      "const a = new Error('a'); const b = new Error('b', { cause: a }); a.cause = b; throw new AggregateError([a, b, a], 'all', { cause: b });",
    ),
    outcome: failsWith("script.threw", /all/),
    also: atMost8Kib,
  },
  {
    name: "a chain of 100,000 causes",
    code: script(
      "let e = new Error('end'); for (let i = 0; i < 1e5; i++) e = new Error('', { cause: e }); throw e;",
    ),
    outcome: fails("script.threw", "timeout.cpu", "memory"),
    also: atMost8Kib,
  },
  {
    name: "a cause that loops",
    code: script("throw new Error('x', { cause: { get message() { for (;;); } } });"),
    outcome: fails("script.threw", "timeout.cpu"),
  },
  {
    name: "recursion without end",
    code: script("const deeper = () => deeper() + 1; return deeper();"),
    outcome: failsWith("script.threw", /call stack/),
  },
  {
    name: "recursion without end in a getter of the error",
    code: script(`
      const deep = { get message() { return deep.message + 1; }, get stack() { return deep.stack + 1; }, get name() { return deep.name + 1; } };
      throw deep;
    `),
    outcome: threw,
  },
  {
    name: "an error thrown at the end of the stack",
    code: script(`
      const fill = () => { try { fill(); } catch { throw new Error("deep", { cause: new Error("deeper") }); } };
      fill();
    `),
    outcome: fails("script.threw", "timeout.cpu"),
  },
  {
    name: "the failure of a failure handler",
    code: script(`
      Object.defineProperty(Error.prototype, "name", { get() { throw new Error("name"); } });
      Error.prepareStackTrace = () => { throw new Error("prepare"); };
      throw new Error("x");
    `),
    outcome: threw,
  },
  {
    name: "a thousand rejections that nobody handles",
    code: script(
      "for (let i = 0; i < 1e3; i++) Promise.reject(new Error('x' + i)); await new Promise(() => {});",
    ),
    outcome: threw,
  },
  {
    name: "an error in a listener of the signal",
    code: script(
      "ctx.signal.addEventListener('abort', () => { throw new Error('listener'); }); await new Promise(() => {});",
    ),
    timeoutMs: 1_000,
    // Both are near: the signal aborts at nine tenths of the time.
    outcome: fails("script.threw", "timeout.wall"),
  },
  {
    name: "a late error at the top level",
    code: "await new Promise((go) => setTimeout(go, 5)); throw new Error('late'); export default 1",
    outcome: failsWith("script.threw", /late/),
  },
  {
    name: "an error with the place of somebody else's file",
    code: script(
      "throw Object.assign(new Error('x'), { stack: 'Error: x\\n    at f (script.js:1:1)\\n    at (<anonymous>)' });",
    ),
    outcome: threw,
  },
];
