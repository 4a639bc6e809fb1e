import './after/main.js';
