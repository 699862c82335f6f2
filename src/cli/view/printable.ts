import { stripVTControlCharacters } from "node:util";

// Everything below space but the tab, DEL, and the C1 controls: a terminal may obey them.
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/gu;

/**
 * A text that somebody's job wrote, safe for this reader: a terminal gets no control sequences, a
 * pipe or a file gets the text as it is.
 */
export const printable = (text: string, terminal: boolean): string =>
  terminal ? stripVTControlCharacters(text).replaceAll(CONTROLS, "\u{fffd}") : text;
