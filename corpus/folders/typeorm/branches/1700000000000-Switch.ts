import { MigrationInterface, QueryRunner } from "typeorm";

export class Switch1700000000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    const dbType = queryRunner.connection.options.type;
    switch (dbType) {
      case "mysql":
      case "mariadb":
        await queryRunner.query("ALTER TABLE `a` ADD `b` int");
        break;
      case "postgres": {
        await queryRunner.query(`ALTER TABLE "a" ADD "b" integer`);
        break;
      }
      default:
        throw new Error("which one is it?");
    }
    if (queryRunner.connection.options.type === "sqlite") {
      await queryRunner.query("PRAGMA foreign_keys = ON");
    } else if (dbType != "mysql") {
      await queryRunner.query("SELECT 1");
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    const isPostgres = queryRunner.dataSource.options.type === "postgres";
    if (!isPostgres) {
      return;
    }
    switch (queryRunner.connection.driver.options.type) {
      case "postgres":
      case "cockroachdb":
        await queryRunner.query(`ALTER TABLE "a" DROP "b"`);
      case "sqlite":
        await queryRunner.query("SELECT 2");
        return;
      case "mysql":
        await queryRunner.query("SELECT 'not here'");
    }
    await queryRunner.query("SELECT 'nor here'");
  }
}
