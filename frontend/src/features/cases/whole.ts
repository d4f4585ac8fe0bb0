// A photo whole, in a tab of its own. The house gives files to be saved only; here the bytes are read and shown under a name of this page's.

/** Long enough for the tab to have read it. */
const KEEP_MS = 60_000;
/** What a browser shows and cannot run. */
const SHOWN = ["image/jpeg", "image/png"];

/** False: the file did not come, or no tab may be opened. The tab is opened first, while the press still counts. */
export async function openWhole(address: string): Promise<boolean> {
  const tab = window.open("about:blank", "_blank");
  if (!tab) return false;
  try {
    tab.opener = null;
    const answer = await fetch(address, {
      signal: AbortSignal.timeout(KEEP_MS),
    });
    if (!answer.ok) throw new Error(`file: ${answer.status}`);
    const bytes = await answer.blob();
    if (!SHOWN.includes(bytes.type)) throw new Error("file: not to be shown");
    const name = URL.createObjectURL(bytes);
    tab.location.replace(name);
    setTimeout(() => {
      URL.revokeObjectURL(name);
    }, KEEP_MS);
    return true;
  } catch {
    tab.close();
    return false;
  }
}
