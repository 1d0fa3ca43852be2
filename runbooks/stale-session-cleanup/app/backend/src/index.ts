import { migrate } from './db/migrate.js';
import { pool } from './db/pool.js';
import { startSessionCleanup } from './services/superuser/sessionCleanupService.js';

if (process.env.SKIP_MIGRATIONS === 'true') {
  console.log('[server] SKIP_MIGRATIONS is set, the schema stays as it is');
} else {
  await migrate(pool);
}

startSessionCleanup();
