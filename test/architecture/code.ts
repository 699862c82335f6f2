/**
 * What of a TypeScript file is code: comments, and the text of templates, are blank. Lines keep their
 * numbers. Strings in quotes stay, because import paths are among them.
 */
export const codeOf = (text: string): string => {
  let code = "";
  // For each template that is open: how many braces are open in the expression that it holds.
  const templates: number[] = [];
  for (let at = 0; at < text.length;) {
    const rest = text.slice(at, at + 4_000);
    const token = inTemplateText(templates) ? templateText(rest) : nextToken(rest, code);
    if (token.text === "`") {
      if (inTemplateText(templates)) templates.pop();
      else templates.push(0);
    } else if (token.text === "${" && inTemplateText(templates)) {
      templates.push((templates.pop() ?? 0) + 1);
    } else if (templates.length > 0 && /^[{}]$/.test(token.text)) {
      templates.push((templates.pop() ?? 0) + (token.text === "{" ? 1 : -1));
    }
    code += token.kept ? token.text : token.text.replaceAll(/[^\n]/g, " ");
    at += token.text.length;
  }
  return code;
};

type Token = { readonly text: string; readonly kept: boolean };

const inTemplateText = (templates: readonly number[]): boolean => templates.at(-1) === 0;

const templateText = (rest: string): Token => {
  const end = /^(`|\$\{)/.exec(rest)?.[0];
  if (end !== undefined) return { text: end, kept: true };
  return { text: /^(\\[^]|[^`\\$]+|\$)/.exec(rest)?.[0] ?? rest.charAt(0), kept: false };
};

const COMMENT = /^(\/\/[^\n]*|\/\*[^]*?\*\/)/;
const STRING = /^("(\\.|[^"\\\n])*"|'(\\.|[^'\\\n])*')/;
const REGEX = /^\/(\\.|\[(\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/;

const nextToken = (rest: string, before: string): Token => {
  const comment = COMMENT.exec(rest)?.[0];
  if (comment !== undefined) return { text: comment, kept: false };
  const string = STRING.exec(rest)?.[0];
  if (string !== undefined) return { text: string, kept: true };
  // After a value a slash divides; anywhere else it begins a regular expression.
  const divides = /[\w)\]}]\s*$/.test(before.slice(-40)) && !/\breturn\s*$/.test(before.slice(-40));
  const regex = divides ? undefined : REGEX.exec(rest)?.[0];
  return { text: regex ?? /^[\w\s]+|^[^]/.exec(rest)?.[0] ?? "", kept: true };
};
