import { render } from 'preact';
import './main.css';
import { follow } from './state/feed.js';
import { learnWho } from './state/me.js';
import { listenToKeys } from './ui/keys.js';
import { Shell } from './ui/shell.js';
import { wearTheme } from './ui/theme.js';

wearTheme();
listenToKeys();
follow();
const place = document.getElementById('app')!;
let isDrawn = false;
const draw = (): void => {
  if (isDrawn) return;
  isDrawn = true;
  place.replaceChildren();
  render(<Shell />, place);
};
// Nothing can be changed before it is known who the user is, so the page waits for that before a key can be pressed.
// If nobody answers, the page shows that.
learnWho().then(draw, () => {
  draw();
  setTimeout(() => void learnWho().catch(() => undefined), 3_000);
});
setTimeout(draw, 1_000);
