import '@fontsource-variable/inter';
import './tokens.css';
import './base.css';
import { createDataStore } from '@tombolo/client';
import { mount } from 'svelte';
import App from './App.svelte';

const target = document.getElementById('app');
if (target === null) throw new Error('index.html has no element #app');

mount(App, { target, props: { store: createDataStore() } });
