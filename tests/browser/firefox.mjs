// Firefox, driven over WebDriver BiDi, which it speaks by itself; Playwright would want a Firefox of its own.

import puppeteer from 'puppeteer-core';
import { executable } from './executable.mjs';

/** A browser with a fresh profile. */
export const launch = () =>
  puppeteer.launch({
    browser: 'firefox',
    executablePath: executable(['firefox-esr', 'firefox']),
    headless: true,
    defaultViewport: { width: 640, height: 640 },
  });
