/** A script that never ends: what every service that runs other people's code must survive. */
export default function loop(): never {
  for (;;);
}
