import { isPermission, type Permission } from "../../jobs/abilities.ts";

/* Permissions in one column: words parted by spaces. What this version does not know is left out. */

export const permissionsOf = (text: string): Permission[] => text.split(" ").filter(isPermission);

export const textOfPermissions = (permissions: readonly Permission[]): string =>
  permissions.join(" ");
