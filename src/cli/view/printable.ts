import { stripVTControlCharacters } from "node:util";

// Everything below space but tab and line feed, DEL, and the C1 controls: a terminal may obey them.
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/gu;

/**
 * A text that somebody else wrote, safe for this reader: a terminal gets no control sequences, a
 * pipe or a file gets the text as it is.
 */
export const printable = (text: string, terminal: boolean): string =>
  terminal ? stripVTControlCharacters(text).replaceAll(CONTROLS, "\u{fffd}") : text;

/** The same for a place that has one line, such as a cell of a table. */
export const printableLine = (text: string, terminal: boolean): string =>
  printable(text, terminal).replaceAll("\n", " ");
