/** Gives a text to the browser as a file to keep. */
export function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  const a = document.createElement("a");
  a.href = url;
  a.download = name;
  a.click();
  // The browser has taken it by the next turn.
  setTimeout(() => {
    URL.revokeObjectURL(url);
  }, 0);
}

/** The file of a record's proof (C2SP tlog-proof). */
export const proofFile = (seq: number): string =>
  `record-${String(seq)}.tlog-proof`;
