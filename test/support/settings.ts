import type { Settings } from '../../src/model.js';

/** What nobody asked anything special of. */
export function settingsWith(over: Partial<Settings> = {}): Settings {
  return {
    tags: [],
    formation: { tags: {} },
    stop: { tags: {} },
    ttl: { tags: {} },
    idle: { tags: {} },
    start: { tags: {} },
    watch: { tags: {} },
    watchPoll: { tags: {} },
    onExit: 'restart',
    grace: { tags: {} },
    expireStatus: 0,
    shell: 'sh',
    quiet: [],
    color: 'auto',
    timestamp: true,
    logFormat: 'text',
    name: '',
    keys: true,
    stdinQuit: false,
    ...over,
  };
}
