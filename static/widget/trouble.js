// Says in one sentence why there is no chat on this page, and what to do about it; for the site's own people.

/** `problem`: what the loader caught. */
export async function tell(core, problem) {
  console.warn(`vexar: no chat on this page. ${await reason(core, problem)}`);
}

async function reason({ base, key, config }, problem) {
  if (!key) return "The tag needs data-key.";
  // A network error; everything else says by itself what it is.
  if (!(problem instanceof TypeError) || config) return problem.message;
  const { origin } = new URL(base);
  // The page may not read why it is refused, but that there is an answer.
  const isReached = await fetch(`${base}api/v1/chat/config?site_key=${encodeURIComponent(key)}`, { mode: "no-cors" })
    .then(() => true, () => false);
  return isReached
    ? `${origin} refuses pages of ${self.origin}: add ${self.origin} to the allowed origins (allowed_origins) of the ` +
      `site with the key ${key}.`
    : `The page may not connect to ${origin}: its Content-Security-Policy needs "connect-src ${origin}".`;
}
