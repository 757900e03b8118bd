declare module '*/launcher/ansi.js' {
  export interface Piece {
    readonly text: string;
    readonly color?: string;
    readonly back?: string;
    readonly bold?: boolean;
    readonly faint?: boolean;
    readonly italic?: boolean;
    readonly underline?: boolean;
  }
  export function pieces(line: string): Piece[];
}
