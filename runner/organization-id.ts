/** As the server writes them. A name in their place would allow nobody, and without a word. */
export const isOrganizationId = (text: string): boolean =>
  /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

export const NO_ORGANIZATION_ID =
  "must be the id of an organization, not its name (`millrace organization list` shows them)";
