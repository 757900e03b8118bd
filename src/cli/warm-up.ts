/** Loads what a `start` that is asked for from elsewhere is going to need. */
export function warmUp(): Promise<unknown> {
  return Promise.all([
    import('../commands/start.js'),
    import('../network/gateway.js'),
    import('../network/front.js'),
    import('../procfile/parse-config.js'),
    import('../observers/log-files.js'),
    import('../control/server.js'),
    import('../control/desk.js'),
    import('../inspect.js'),
  ]);
}
