import { defineHidden, defineProperty, GuestError, toText } from "../primordials.ts";

/** https://webidl.spec.whatwg.org/#idl-DOMException-error-names, by their old numbers. */
const NUMBERED = [
  ["INDEX_SIZE_ERR", "IndexSizeError"],
  ["DOMSTRING_SIZE_ERR", ""],
  ["HIERARCHY_REQUEST_ERR", "HierarchyRequestError"],
  ["WRONG_DOCUMENT_ERR", "WrongDocumentError"],
  ["INVALID_CHARACTER_ERR", "InvalidCharacterError"],
  ["NO_DATA_ALLOWED_ERR", ""],
  ["NO_MODIFICATION_ALLOWED_ERR", "NoModificationAllowedError"],
  ["NOT_FOUND_ERR", "NotFoundError"],
  ["NOT_SUPPORTED_ERR", "NotSupportedError"],
  ["INUSE_ATTRIBUTE_ERR", "InUseAttributeError"],
  ["INVALID_STATE_ERR", "InvalidStateError"],
  ["SYNTAX_ERR", "SyntaxError"],
  ["INVALID_MODIFICATION_ERR", "InvalidModificationError"],
  ["NAMESPACE_ERR", "NamespaceError"],
  ["INVALID_ACCESS_ERR", "InvalidAccessError"],
  ["VALIDATION_ERR", ""],
  ["TYPE_MISMATCH_ERR", "TypeMismatchError"],
  ["SECURITY_ERR", "SecurityError"],
  ["NETWORK_ERR", "NetworkError"],
  ["ABORT_ERR", "AbortError"],
  ["URL_MISMATCH_ERR", "URLMismatchError"],
  ["QUOTA_EXCEEDED_ERR", "QuotaExceededError"],
  ["TIMEOUT_ERR", "TimeoutError"],
  ["INVALID_NODE_TYPE_ERR", "InvalidNodeTypeError"],
  ["DATA_CLONE_ERR", "DataCloneError"],
] as const;

const numberOf = (name: string): number => {
  for (let i = 0; i < NUMBERED.length; i++)
    if (name !== "" && NUMBERED[i]?.[1] === name) return i + 1;
  return 0;
};

type Options = { readonly name?: unknown; readonly cause?: unknown };

/** V8 writes the stack when it is first read, so its first line has the name. */
export class DOMException extends GuestError {
  readonly #name: string;

  constructor(message: unknown = "", options: unknown = "Error") {
    super(toText(message));
    const given = typeof options === "object" && options !== null ? (options as Options) : null;
    this.#name = toText(given === null ? options : (given.name ?? "Error"));
    if (given !== null && "cause" in given) defineHidden(this, "cause", given.cause);
  }

  static {
    defineProperty(this.prototype, "name", {
      __proto__: null,
      get(this: DOMException): string {
        return this.#name;
      },
      enumerable: true,
      configurable: true,
    } as PropertyDescriptor);
  }

  get code(): number {
    return numberOf(this.#name);
  }
}

for (let i = 0; i < NUMBERED.length; i++) {
  const constant = {
    __proto__: null,
    value: i + 1,
    enumerable: true,
  } as PropertyDescriptor;
  const [name] = NUMBERED[i] as (typeof NUMBERED)[number];
  defineProperty(DOMException, name, constant);
  defineProperty(DOMException.prototype, name, constant);
}
defineProperty(DOMException.prototype, Symbol.toStringTag, {
  __proto__: null,
  value: "DOMException",
  configurable: true,
} as PropertyDescriptor);
