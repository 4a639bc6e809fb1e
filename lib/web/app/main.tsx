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
// Until it is known who looks, nothing can be changed; the stream says where nobody answers.
learnWho().catch(() => setTimeout(() => void learnWho().catch(() => undefined), 3_000));
const place = document.getElementById('app')!;
place.replaceChildren();
render(<Shell />, place);
