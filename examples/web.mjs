// A web application on $PORT that says which instance answered.
import { createServer } from 'node:http';

const { PORT = '5000', PS = 'web' } = process.env;

createServer((request, response) => {
  console.log(`${request.method} ${request.url}`);
  response.end(`Hello from ${PS}\n`);
}).listen(Number(PORT), '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${PORT}`));
