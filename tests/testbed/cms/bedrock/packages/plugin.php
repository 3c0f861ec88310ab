<?php
/** STAND-IN for composer/installers and roots/wordpress-core-installer: the plugin of Composer. */

namespace Testbed;

use Composer\Composer;
use Composer\IO\IOInterface;
use Composer\Plugin\PluginInterface;

class PLUGIN implements PluginInterface {
	public function activate( Composer $composer, IOInterface $io ) {
		$composer->getInstallationManager()->addInstaller( new INSTALLER( $io, $composer, null ) );
	}

	public function deactivate( Composer $composer, IOInterface $io ) {}

	public function uninstall( Composer $composer, IOInterface $io ) {}
}
