const AGAIN_MS = 5_000;
const FAILED = /https?:\/\/\S+?\.js/;

/**
 * Fetches a part of the page. A browser keeps that a module did not come, and answers so for its address until the page is loaded anew (HTML,
 * section 8.1.6, module map): it is asked for by another name then, at once and each time that the part is wanted again.
 */
export async function fetched<T>(
  load: () => Promise<T>,
  by: (url: string) => Promise<unknown> = (url) =>
    import(/* @vite-ignore */ url),
): Promise<T> {
  try {
    return await load();
  } catch (failed) {
    const url = FAILED.exec(String(failed))?.[0];
    if (url === undefined) throw failed;
    return (await by(`${url}?again=${String(Date.now())}`)) as T;
  }
}

/** Asks for a part of the page until it has come: a network that was away for a moment leaves no hole. */
export const insist = <T>(
  load: () => Promise<T>,
  againMs = AGAIN_MS,
): Promise<T> =>
  fetched(load).catch(
    () =>
      new Promise<T>((done) => {
        setTimeout(() => {
          done(insist(load, againMs));
        }, againMs);
      }),
  );
