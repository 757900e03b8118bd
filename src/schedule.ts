/** Times that a service runs at, written as crontab(5) writes them. The one place that knows croner. */
import { Cron } from 'croner';

/** Whether a text is a schedule: five fields, six with seconds first, or a name such as `@hourly`. */
export function isSchedule(text: string): boolean {
  try {
    return new Cron(text, { paused: true }).nextRun() !== null;
  } catch {
    return false; // that is the question
  }
}

/** The first time of a schedule after this one, in milliseconds since 1970 and in this machine's time zone; `Infinity` for never. */
export function nextTime(schedule: string, after: number): number {
  return new Cron(schedule, { paused: true }).nextRun(new Date(after))?.getTime() ?? Infinity;
}
