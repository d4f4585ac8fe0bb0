// Whom the house does not know is led to the sign-in page, also from screens without a socket.

/** Leads to the sign-in page, and back here after it. */
export function toLogin(): void {
  const here = location.pathname + location.search;
  location.assign(`/login?next=${encodeURIComponent(here)}`);
}
