import { codedError } from "./bridge.ts";
import type { Send } from "./fetching.ts";
import type { Timers } from "./timers.ts";
import type * as Abort from "./web/abort.ts";
import type * as Base64 from "./web/base64.ts";
import type * as Clone from "./web/clone.ts";
import type * as Crypto from "./web/crypto.ts";
import type * as DomException from "./web/dom-exception.ts";
import type * as Encoding from "./web/encoding.ts";
import type * as Events from "./web/events.ts";
import type * as Fetch from "./web/fetch.ts";
import type * as Headers from "./web/headers.ts";
import type * as Request from "./web/request.ts";
import type * as Response from "./web/response.ts";
import type * as Url from "./web/url.ts";

/**
 * The large pieces of the surface. None of them is evaluated before a script asks for it, so scripts
 * that do not use them pay only for their text.
 *
 * By then the script may have patched every prototype that a library uses. So a library is given
 * nothing that a script may not have, and nothing of ours relies on what a library says: a script
 * that breaks one breaks it for itself alone.
 */
type Modules = {
  readonly "./web/abort.ts": typeof Abort;
  readonly "./web/base64.ts": typeof Base64;
  readonly "./web/clone.ts": typeof Clone;
  readonly "./web/crypto.ts": typeof Crypto;
  readonly "./web/dom-exception.ts": typeof DomException;
  readonly "./web/encoding.ts": typeof Encoding;
  readonly "./web/events.ts": typeof Events;
  readonly "./web/fetch.ts": typeof Fetch;
  readonly "./web/headers.ts": typeof Headers;
  readonly "./web/request.ts": typeof Request;
  readonly "./web/response.ts": typeof Response;
  readonly "./web/url.ts": typeof Url;
};

/** The bundler makes of it a call that evaluates the module when it is made first. */
declare const require: <Path extends keyof Modules>(path: Path) => Modules[Path];

const once = <Module>(load: () => Module): (() => Module) => {
  let module: Module | undefined;
  return () => {
    module ??= load();
    return module;
  };
};

type Parts = {
  readonly timers: Timers;
  readonly failed: (thrown: unknown) => void;
  /** 32 bytes as base64url. */
  readonly entropy: string;
  readonly send: Send;
};

export const createLibraries = ({ timers, failed, entropy, send }: Parts) => {
  const events = once(() => {
    const module = require("./web/events.ts");
    module.connectEvents(failed);
    return module;
  });
  return {
    events,
    abort: once(() => {
      events();
      const module = require("./web/abort.ts");
      module.connectTimers((run, ms) => timers.set(run, ms, [], false));
      return module;
    }),
    base64: once(() => require("./web/base64.ts")),
    clone: once(() => require("./web/clone.ts")),
    crypto: once(() => require("./web/crypto.ts").createCrypto(entropy)),
    domException: once(() => require("./web/dom-exception.ts")),
    encoding: once(() => require("./web/encoding.ts")),
    fetch: once(() => {
      const module = require("./web/fetch.ts");
      module.connectFetch(send, (message) => codedError("egress.too_large", message, "TypeError"));
      return module;
    }),
    headers: once(() => require("./web/headers.ts")),
    request: once(() => require("./web/request.ts")),
    response: once(() => require("./web/response.ts")),
    url: once(() => require("./web/url.ts")),
  } as const;
};

export type Libraries = ReturnType<typeof createLibraries>;
