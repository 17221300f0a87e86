import { MigrationInterface, QueryRunner } from "typeorm";
import { DatabaseTypeEnum } from "@app/config";

export class Enumerated1700000000002 implements MigrationInterface {
  name = "Enumerated1700000000002";

  public async up(queryRunner: QueryRunner): Promise<void> {
    switch (queryRunner.connection.options.type as DatabaseTypeEnum) {
      case DatabaseTypeEnum.sqlite:
      case DatabaseTypeEnum.betterSqlite3:
        await this.sqliteUp(queryRunner);
        break;
      case DatabaseTypeEnum.postgres:
        await this.postgresUp(queryRunner, "users", 5);
        break;
      default:
        throw Error(`${queryRunner.connection.options.type} is not supported`);
    }
  }

  public async down(queryRunner: QueryRunner): Promise<void> {
    if (queryRunner.connection.options.type === DatabaseTypeEnum.unheard) {
      await queryRunner.query("SELECT 1");
    }
  }

  private async sqliteUp(queryRunner: QueryRunner) {
    await queryRunner.query("PRAGMA x");
  }

  private async postgresUp(runner: QueryRunner, table: string, size: number) {
    await runner.query(`ALTER TABLE "${table}" ADD "size" integer DEFAULT ${size}`);
    await this.finish(runner);
  }

  private async finish(queryRunner: QueryRunner) {
    return queryRunner.query(`SELECT '${this.name}'`);
  }
}

export class Circle1700000000003 implements MigrationInterface {
  async up(queryRunner) {
    await this.up(queryRunner);
  }
  async down(queryRunner) {
    await this.other();
  }
  async other() {}
}
