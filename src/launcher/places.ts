/** Where the services of projects are, as addresses of the launcher: the link that starts one, and its own name. */
import { createHmac } from 'node:crypto';
import { labelOf } from '../projects/registry.js';

interface Named {
  readonly name: string;
  readonly services: readonly { readonly tag: string }[];
}

/** The service of a project that is meant when none is named: `web`, else the first. */
export function usualService({ services }: Pick<Named, 'services'>): string | undefined {
  return (services.find(({ tag }) => tag === 'web') ?? services[0])?.tag;
}

/** Where a link leads: to the service's own name or to its port; absent for what the client can use. */
export type Destination = 'name' | 'port' | undefined;

export function destinationOf(to: string | undefined): Destination {
  return to === 'name' || to === 'port' ? to : undefined;
}

export interface LaunchLink {
  readonly project: string;
  readonly service: string;
  readonly to?: Destination;
}

/** Links of the launcher's own, with keys. */
export function ownLinks(secret: string): (link: LaunchLink) => string {
  return (link) => launchPath({ ...link, key: linkKey(secret, link.project, link.service) });
}

function launchPath({ project, service, to, key }: LaunchLink & { readonly key: string }): string {
  return `/launch?${new URLSearchParams({ project, service, key, ...(to && { to }) })}`;
}

/** What a link holds that no other page can know. `secret` is the launcher's, and the same after a restart. */
export function linkKey(secret: string, project: string, service: string): string {
  return createHmac('sha256', secret).update(`${project}\0${service}`).digest('base64url').slice(0, 22);
}

const longestLabel = 63;

/** `psgi.hoge` of `psgi.hoge.localhost`, or `hoge` for the usual service; undefined when it has no name for itself alone. */
export function nameOf(project: Named, tag: string): string | undefined {
  const label = labelOf(project.name);
  if (tag === usualService(project)) return label;
  const own = labelOf(tag);
  const isFit = own !== '' && own.length <= longestLabel;
  const isAlone = project.services.filter((each) => labelOf(each.tag) === own).length === 1;
  return isFit && isAlone ? `${own}.${label}` : undefined;
}
