/** What services of runs in the background printed, and how they ended, from the files that such runs leave. */
import { join } from 'node:path';
import type { Past } from '../fleet/launch-state.js';
import { endsName, lastEndIn } from '../observers/ends.js';
import { linesInFiles, rotated } from './logged-lines.js';
import { stateDirectory } from './state-dir.js';

const keptLines = 500;

export const pastOf: Past = (root, tag, since) => {
  const directories = ['', 'launcher'].map((name) => stateDirectory(root, name));
  const printed = linesInFiles(
    directories.map((directory) => join(directory, `${tag}.log`)),
    { since, until: Infinity },
  );
  const text = (bytes: string) => Buffer.from(bytes, 'latin1').toString('utf8');
  const ends = directories.flatMap(
    (directory) => lastEndIn(text(rotated(join(directory, endsName)).join('')), tag, since) ?? [],
  );
  const [end] = ends.sort((a, b) => b.at - a.at);
  return {
    lines: printed
      .slice(-keptLines)
      .map((line) => ({ at: line.at, id: line.id, stream: line.stream, text: text(line.text) })),
    ...(end !== undefined && { end: end.text }),
  };
};
