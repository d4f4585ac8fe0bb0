/** "river_gauge" reads "river gauge" where nobody gave the code a name. */
export const plain = (code: string): string => code.replaceAll("_", " ");
