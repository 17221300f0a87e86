// The application, as far as a move of its databases can break it: each answer is asked of the new databases.
// psql is its client, so nothing is to be installed.
//
//   AUTH_URL=… SHARED_URL=… TENANT_URL=… PORT=4000 node application/service.mjs
//
// 200 with what was found, 404 when there is no such row, 500 when the database does not answer.
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';

const { AUTH_URL, SHARED_URL, TENANT_URL, PORT = '4000', PSQL = 'psql' } = process.env;

// A path, the database that it is asked of, and the query; :'key' is the path's last part.
const routes = [
  ['/api/users/', AUTH_URL, `
    SELECT json_build_object('email', u.email, 'company', s.code, 'role', m.role, 'permissions', m.permissions)
    FROM users u JOIN societe_users m ON m.user_id = u.id AND m.is_default JOIN societes s ON s.id = m.societe_id
    WHERE u.email = :'key' AND u.deleted_at IS NULL`],
  ['/api/materials/', SHARED_URL, `
    SELECT json_build_object('code', m.code, 'grades', count(g.id))
    FROM shared_materials m LEFT JOIN material_grades g ON g.material_id = m.id
    WHERE m.code = :'key' GROUP BY m.code`],
  ['/api/orders/', TENANT_URL, `
    SELECT json_build_object('numero', c.numero, 'client', k.nom, 'lines', json_agg(l.quantity))
    FROM commandes c JOIN clients k ON k.id = c.client_id JOIN commande_lignes l ON l.commande_id = c.id
    WHERE c.numero = :'key' GROUP BY c.numero, k.nom`],
];

function ask(url, query, key, answer) {
  const args = ['-XqAt', '-v', 'ON_ERROR_STOP=1', '-v', `key=${key}`, '-d', url ?? '', '-f', '-'];
  const psql = execFile(PSQL, args, (error, found) => {
    if (error) answer(500, '{"error":"the database does not answer"}');
    else if (found.trim() === '') answer(404, '{"error":"not found"}');
    else answer(200, found.trim());
  });
  psql.stdin.on('error', () => {}); // psql that cannot connect does not read its query
  psql.stdin.end(query);
}

const server = createServer((request, response) => {
  const answer = (status, body) => response.writeHead(status, { 'Content-Type': 'application/json' }).end(body);
  if (request.url === '/api/health') return answer(200, '{"status":"ok"}');
  const route = routes.find(([path]) => request.url.startsWith(path));
  if (!route) return answer(404, '{"error":"not found"}');
  const [path, url, query] = route;
  ask(url, query, decodeURIComponent(request.url.slice(path.length)), answer);
});
server.listen(Number(PORT), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
