import { indexOfText, sliceText } from "./primordials.ts";

/**
 * `stack` without the frames that are not the author's: a frame stays if it names `fileName` or an
 * imported module, or has no file at all. Lines of the message stay as they are.
 */
export const authorStack = (stack: string, fileName: string): string => {
  let kept = "";
  let from = 0;
  while (from <= stack.length) {
    const newline = indexOfText(stack, "\n", from);
    const end = newline === -1 ? stack.length : newline;
    const line = sliceText(stack, from, end);
    if (!isFrame(line) || isAuthors(line, fileName)) kept += kept === "" ? line : `\n${line}`;
    from = end + 1;
  }
  return kept;
};

const isFrame = (line: string): boolean => indexOfText(line, "    at ") === 0;

const isAuthors = (line: string, fileName: string): boolean =>
  indexOfText(line, `${fileName}:`) !== -1 ||
  indexOfText(line, "script:") !== -1 ||
  indexOfText(line, "library:") !== -1 ||
  indexOfText(line, "(<anonymous>)") !== -1;
