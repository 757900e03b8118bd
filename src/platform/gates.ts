/** Gates of which none but themselves is asked. */
import type { Gate } from '../ports.js';

export const openGate: Gate = { isOpen: true, whenOpen: (go) => go() };

/** Sources read while both are open. */
export function both(one: Gate, other: Gate): Gate {
  return {
    get isOpen() {
      return one.isOpen && other.isOpen;
    },
    whenOpen(go) {
      one.whenOpen(() => (other.isOpen ? go() : other.whenOpen(() => this.whenOpen(go))));
    },
  };
}
