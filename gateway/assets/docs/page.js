// Fetches the API's description with the credential that the user has typed, and has Swagger UI show it. The credential stays in this
// page's memory, and is sent to this page's own origin alone.
'use strict';
(() => {
    const element = id => document.getElementById(id);
    const root = new URL(document.documentElement.dataset.root, location.href);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const paint = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
    dark.addEventListener('change', paint);
    paint();

    const say = (text, problem) => {
        element('message').textContent = text;
        element('message').classList.toggle('problem', Boolean(problem));
    };
    // The header fields that say who asks.
    const fields = () => {
        const credential = element('credential').value.trim(), profile = element('profile').value.trim();
        const found = {};
        if (credential) {
            if (element('kind').value === 'key') found['X-API-Key'] = credential;
            else found.Authorization = 'Bearer ' + credential.replace(/^bearer\s+/i, '');
        }
        if (profile) found['Accept-Profile'] = profile;
        return found;
    };
    const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

    let latest = 0;
    const show = async () => {
        const turn = ++latest;
        const sent = fields();
        say('Loading …');
        element('api').replaceChildren();
        let text, description;
        try {
            const answer = await fetch(root, {headers: {...sent, Accept: 'application/openapi+json'}, credentials: 'same-origin'});
            text = await answer.text();
            if (!answer.ok) throw new Error(`${answer.status}: ${text.slice(0, 500)}`);
            description = JSON.parse(text);
        } catch (error) {
            if (turn === latest) say(`The API does not describe itself: ${error.message}`, true);
            return;
        }
        // A later click has asked for another description.
        if (turn !== latest) return;
        // Requests go where the page comes from, so that no description can send a credential elsewhere.
        description.servers = [{url: root.href.replace(/\/$/, '')}];
        // The dialect of JSON Schema itself, for which Swagger UI shows a warning.
        delete description.jsonSchemaDialect;
        // The form above says who asks.
        delete description.security;
        if (description.components) delete description.components.securitySchemes;
        for (const path of Object.values(description.paths || {})) {
            delete path.servers;
            for (const method of methods) if (path[method]) { delete path[method].security; delete path[method].servers; }
        }
        const own = location.pathname.slice(root.pathname.length - 1);
        const hidden = Object.keys(description.paths || {}).filter(path => path === own || path.startsWith(own + '/'));
        say(hidden.length ? `This page hides ${hidden.join(', ')} of the API: move it with DOCS_PATH.` : '', true);

        SwaggerUIBundle({
            spec: description,
            domNode: element('api'),
            docExpansion: 'none',
            defaultModelsExpandDepth: -1,
            filter: true,
            deepLinking: false,
            validatorUrl: null,
            queryConfigEnabled: false,
            persistAuthorization: false,
            tryItOutEnabled: true,
            syntaxHighlight: {activated: true, theme: 'agate'},
            requestInterceptor: request => {
                if (new URL(request.url, location.href).origin !== location.origin) throw new Error('Only this origin is asked.');
                Object.assign(request.headers, sent);
                if (sent['Accept-Profile']) request.headers['Content-Profile'] = sent['Accept-Profile'];
                return request;
            },
        });
    };
    element('who').addEventListener('submit', event => { event.preventDefault(); show(); });
    show();
})();
