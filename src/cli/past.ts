/** What services of runs in the background printed, and how they ended, from the files that such runs leave. */
import type { Past } from '../fleet/launch-state.js';
import { linesInFiles } from './logged-lines.js';
import { logsIn, stateDirectory } from './state-dir.js';

const keptLines = 500;

export const pastOf: Past = (root, tag, since) => {
  const files = ['', 'launcher'].flatMap((name) => logsIn(stateDirectory(root, name)));
  const read = (name: string) =>
    linesInFiles(
      files.filter((path) => path.endsWith(`/${name}.log`)),
      { since, until: Infinity },
    );
  const text = (bytes: string) => Buffer.from(bytes, 'latin1').toString('utf8');
  const end = read('proclet').findLast(
    (line) => line.text.startsWith(`${tag}.`) && !/started|is ready/.test(line.text),
  );
  return {
    lines: read(tag)
      .slice(-keptLines)
      .map((line) => ({ at: line.at, id: line.id, stream: line.stream, text: text(line.text) })),
    ...(end && { end: text(end.text) }),
  };
};
