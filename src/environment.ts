/** The environment as it is, for the CLI, which hands it on to what it starts. */
export const environment = (): Readonly<Record<string, string | undefined>> => process.env;
