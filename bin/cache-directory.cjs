/** Where the code cache is: as src/platform/places.ts decides it, for what runs before that is loaded. */
'use strict';
const path = require('node:path');

/** Undefined where there is no home and no place was named. */
module.exports = function cacheDirectory(env, home) {
  const named = env.XDG_CACHE_HOME ?? '';
  if (path.isAbsolute(named)) return path.join(named, 'proclet');
  return home === '' ? undefined : path.join(home, '.cache', 'proclet');
};
