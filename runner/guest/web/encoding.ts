import { TextDecoder as Decoder } from "@exodus/bytes/encoding-lite.js";

export { TextEncoder } from "@exodus/bytes/encoding-lite.js";

/** Their tables are large, and left out. */
const LEFT_OUT = /^(big5|euc-jp|euc-kr|gb18030|gbk|iso-2022-jp|shift_jis)$/;

export class TextDecoder extends Decoder {
  constructor(
    label?: string,
    options?: { readonly fatal?: boolean; readonly ignoreBOM?: boolean },
  ) {
    super(label, options);
    if (LEFT_OUT.test(this.encoding)) {
      throw new RangeError(`the encoding ${this.encoding} is not available here`);
    }
  }
}
