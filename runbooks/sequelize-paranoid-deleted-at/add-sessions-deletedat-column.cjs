'use strict';

// The Session model is paranoid, so its table needs deletedAt as users has it.
module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.addColumn('sessions', 'deletedAt', { type: Sequelize.DATE, allowNull: true });
  },

  async down(queryInterface) {
    await queryInterface.removeColumn('sessions', 'deletedAt');
  },
};
