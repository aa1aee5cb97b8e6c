import '@fontsource-variable/inter';
import './tokens.css';
import './base.css';
import { createDataStore } from '@tombolo/client';
import { mount } from 'svelte';
import App from './App.svelte';
import { tauriShell } from './lib/shell';

const target = document.getElementById('app');
if (target === null) throw new Error('index.html has no element #app');

const onlyPage = new URLSearchParams(location.search).get('page');
mount(App, { target, props: { surroundings: { store: createDataStore(), shell: tauriShell, onlyPage } } });
