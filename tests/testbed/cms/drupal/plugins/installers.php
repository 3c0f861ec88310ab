<?php
/** STAND-IN for composer/installers: puts Drupal's packages where extra.installer-paths says. */

namespace Testbed;

use Composer\Composer;
use Composer\IO\IOInterface;
use Composer\Plugin\PluginInterface;

class Installers implements PluginInterface {
	public function activate( Composer $composer, IOInterface $io ) {
		$composer->getInstallationManager()->addInstaller( new DrupalInstaller( $io, $composer, null ) );
	}

	public function deactivate( Composer $composer, IOInterface $io ) {}

	public function uninstall( Composer $composer, IOInterface $io ) {}
}
