import { indexOfText, sliceText } from "./primordials.ts";

/**
 * `stack` without the frames that are not the author's: a frame stays if it names `fileName` or an
 * imported module, or is one of the language's own that such a frame called. Lines of the message
 * stay as they are.
 */
export const authorStack = (stack: string, fileName: string): string => {
  let kept = "";
  /** Frames of the language: whose they are is told by the frame below. */
  let pending = "";
  let from = 0;
  while (from <= stack.length) {
    const newline = indexOfText(stack, "\n", from);
    const end = newline === -1 ? stack.length : newline;
    const line = sliceText(stack, from, end);
    from = end + 1;
    if (!isFrame(line)) {
      kept += kept === "" ? line : `\n${line}`;
    } else if (isAuthors(line, fileName)) {
      kept += kept === "" && pending === "" ? line : `${pending}\n${line}`;
      pending = "";
    } else {
      pending = isLanguages(line) ? `${pending}\n${line}` : "";
    }
  }
  return kept;
};

const isFrame = (line: string): boolean => indexOfText(line, "    at ") === 0;

const isAuthors = (line: string, fileName: string): boolean =>
  indexOfText(line, `${fileName}:`) !== -1 ||
  indexOfText(line, "script:") !== -1 ||
  indexOfText(line, "library:") !== -1;

const isLanguages = (line: string): boolean => indexOfText(line, "(<anonymous>)") !== -1;
