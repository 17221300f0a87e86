const { MigrationInterface } = require("typeorm");

module.exports = class Second1700000000001 {
  transaction = false;

  async up(queryRunner) {
    await queryRunner.query(`CREATE INDEX CONCURRENTLY "i" ON "users" ("a")`);
  }

  async down(queryRunner) {
    for (const name of ["i"]) await queryRunner.query(`DROP INDEX "${name}"`);
  }
};
