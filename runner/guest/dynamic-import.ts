/** What isolated-vm rejects every `import()` with. */
const REJECTION = "Not supported";

/** How a script that uses `import()` fails, whoever catches it first. */
export const DYNAMIC_IMPORT = {
  code: "module.not_allowed",
  message: "import() is not available: use import at the top of the script",
} as const;

export const isDynamicImport = (message: string): boolean => message === REJECTION;
