/** Tries to leave: the metadata service of a cloud, and this machine. */
export default async function () {
  const told: string[] = [];
  for (const url of ["http://169.254.169.254/latest/meta-data/", "http://localhost:22/"]) {
    try {
      await fetch(url);
      told.push(`${url} answered`);
    } catch (error) {
      told.push(String(error));
    }
  }
  return told;
}
