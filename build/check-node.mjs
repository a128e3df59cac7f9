/**
 * Every script starts here. Plain JavaScript without newer syntax, so that an old Node prints one line instead of a stack trace.
 * The right Node is installed by `npm ci` (see build/node-runtime) and is what `node` means inside npm scripts.
 */
var needed = [24, 12]
var version = process.versions.node.split('.').map(Number)

if (version[0] < needed[0] || (version[0] === needed[0] && version[1] < needed[1])) {
  console.error(
    'Weir needs Node ' +
      needed.join('.') +
      ' or newer and this is ' +
      process.version +
      '. Run it through npm (for instance "npm start") after "npm ci", which brings the right Node; if that was done, "npm rebuild" repairs it.',
  )
  process.exit(1)
}
