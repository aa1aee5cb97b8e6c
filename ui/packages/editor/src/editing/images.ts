/** Which images a page may load. */

/** Sources that never leave the device. Everything else is refused by the content security policy anyway. */
export function localImage(src: string): string | null {
  if (/^(?:blob:|asset:|http:\/\/asset\.localhost\/)/iu.test(src)) return src;
  return /^data:image\/(?:png|jpeg|gif|webp|avif);/iu.test(src) ? src : null;
}

/** The host that a source names, or null for one without. */
export function hostOf(src: string): string | null {
  if (!URL.canParse(src)) return null;
  const { hostname } = new URL(src);
  return hostname === '' ? null : hostname;
}
