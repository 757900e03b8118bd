/** Services without a port of which something is wanted that only a port can do. */
import type { Config, Problem, Procfile, ServiceConfig, Tag } from '../model.js';
import { lookUp } from '../record.js';

export interface PortSources {
  readonly procfile: Procfile;
  readonly config?: Config | undefined;
}

/** `services`: with what the command line says of them. */
export function portProblems(
  services: readonly { readonly tag: Tag; readonly config: ServiceConfig }[],
  { procfile, config: file }: PortSources,
): Problem[] {
  return services.flatMap(({ tag, config }) => {
    const wanted = config.port === false ? wantsOf(config) : [];
    const place = lookUp(file?.places ?? {}, tag);
    return wanted.map((want) => ({
      ...{ path: file?.path ?? procfile.path, ...place },
      message: `services.${tag}: ${want} needs a port, and port: false gives it none`,
      hint: 'leave one of them out',
    }));
  });
}

function wantsOf({ start, reload, ready, 'proxy-protocol': proxyProtocol }: ServiceConfig): string[] {
  const wants: string[] = [];
  if (start === 'on-access') wants.push('start: on-access');
  if (reload === 'shotgun') wants.push('reload: shotgun');
  if (proxyProtocol === true) wants.push('proxy-protocol: true');
  if (ready?.kind === 'tcp' || ready?.kind === 'http') wants.push(`ready: {${ready.kind}: …}`);
  return wants;
}
