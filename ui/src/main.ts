import '@fontsource-variable/inter';
import '@fontsource-variable/jetbrains-mono';
import '@tombolo/editor/editor.css';
import './tokens.css';
import './base.css';
import { createDataStore } from '@tombolo/client';
import { mount } from 'svelte';
import App from './App.svelte';
import { tauriShell } from './lib/shell';

const target = document.getElementById('app');
if (target === null) throw new Error('index.html has no element #app');

// Fetched beside the first paint, not before it; who fails to get it says so where it is needed.
import('@tombolo/editor').catch(() => undefined);

const onlyPage = new URLSearchParams(location.search).get('page');
mount(App, { target, props: { surroundings: { store: createDataStore(), shell: tauriShell, onlyPage } } });
