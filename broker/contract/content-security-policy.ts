/**
 * What the screen's pages may load, the same under `app://` and from the web server. Nothing is fetched from anywhere else at
 * run time. Inline styles are how the interface library positions its overlays; scripts are files of ours alone.
 */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')
